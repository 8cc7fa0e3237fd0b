"""Making index files from a folder of published facts. Nothing here runs when zoohub is used."""
