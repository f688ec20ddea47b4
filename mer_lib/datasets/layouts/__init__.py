"""Layouts: one file a way in which a data set lies on a disk, each turning it into rows, frames and faults."""
