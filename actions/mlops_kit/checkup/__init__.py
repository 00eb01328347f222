"""What `mlops-kit doctor` looks at: one function a check; its docstring says what is looked for."""
