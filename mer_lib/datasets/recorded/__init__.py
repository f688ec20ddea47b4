"""Recorded clips: from annotation rows and frames on a disk to a samples table that can be trusted."""
