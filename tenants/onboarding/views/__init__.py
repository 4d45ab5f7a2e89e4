"""The screens: `shared` is what both houses show, `portal` and `commune` what only one does."""
