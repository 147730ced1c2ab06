"""What the tests share: a local AWS, fakes, the stack and its doors."""
