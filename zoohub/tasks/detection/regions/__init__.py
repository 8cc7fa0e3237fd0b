"""What two-stage detectors do between their stages: anchors, proposals, and regions' features."""
