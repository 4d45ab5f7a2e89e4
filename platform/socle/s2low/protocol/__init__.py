"""The S²LOW interface as bytes and values. No Django import."""
