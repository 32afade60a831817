"""What a `.tflite` file is made of, read and written."""
