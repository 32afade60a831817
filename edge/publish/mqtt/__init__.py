"""The receiver `mqtt`: a broker, by MQTT 5."""
