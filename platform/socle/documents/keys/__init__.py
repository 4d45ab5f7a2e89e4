"""The data keys, one per schema, wrapped by the master key. In the public schema only."""
