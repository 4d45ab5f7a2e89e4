"""What every screen of Socle is made of: page shell, components, form rendering, French formats."""
