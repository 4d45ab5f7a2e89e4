"""The syndicat as delegated registration authority: files, faces, receipts, certificates."""
