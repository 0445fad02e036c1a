"""The door of uploads: sending files, and who may read which."""
