"""`python -m gateway`: the klantbrug command."""

from gateway.cli.main import main

if __name__ == "__main__":
    main()
