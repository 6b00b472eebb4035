//! Bytes to domain and back: MQTT topics and payloads, schemas, files.
