"""Fine-tuning and evaluation: recipes, data, the training loop and what a run leaves behind."""

from zoohub.training.recipe import Recipe, parse_recipe, read_recipe, recipe_text

__all__ = ["Recipe", "parse_recipe", "read_recipe", "recipe_text"]
