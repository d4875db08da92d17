"""Training and evaluation on FER2013. Nothing outside imports this package, except `femr.cli.training`, lazily."""
