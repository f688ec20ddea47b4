"""Could this number exist? From class counts and printed scores, search the confusion matrices that give them."""
