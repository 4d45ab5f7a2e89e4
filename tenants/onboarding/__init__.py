"""One case per commune: délibération, marché, convention, and what follows."""
