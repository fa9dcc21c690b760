"""Reading from and writing to the log: ports, the loop that every stage runs, and the Kafka adapter."""
