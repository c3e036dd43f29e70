"""What was found in a data set, as lists, files and pages: suspect labels, groups of duplicates."""
