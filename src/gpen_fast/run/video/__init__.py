"""Videos through the stages: frames decoded, restored, encoded in segments, and joined."""
