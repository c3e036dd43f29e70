"""Released or public data -> trained models. Architectures live with the stage that uses them."""
