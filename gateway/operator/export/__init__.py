"""What an operator asks about leaving for a register: how far it is, the proof, the switch, and files to take along."""
