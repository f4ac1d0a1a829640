"""What each headroom rule does on the average of many services: the first opinion of a policy that has seen nothing."""
