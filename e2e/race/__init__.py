"""`make race`: this operator, KEDA twice and llm-d's law, one by one, on the same arrivals and a real Triton."""
