"""Frames of a clip, read when asked for: from a folder of images, a video, or an archive."""
