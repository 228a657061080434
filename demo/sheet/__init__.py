"""Figure sheets: analyses of pictures at several K, as one figure for a paper."""
