"""What the generated code imports: arguments, the codec, models, resources."""
