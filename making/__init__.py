"""How the data files that ship in the package were made; nothing here runs in the product."""
