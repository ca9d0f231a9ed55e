/** The pages before the login. */
export const entrance = {
  welcome: "Welcome",
  isNew: "This Kinomill is new. Make its first account: the administrator.",
  code: "Setup code",
  whereIsCode: "Where is the setup code?",
  codeIsInLog:
    "Kinomill wrote it to its log when it started, so that only somebody with access to the machine can do this.",
  inTerminal: "In the terminal where it runs, or:",
  yourName: "Your name",
  name: "Name",
  password: "Password",
  passwordHint: (characters: number) =>
    `At least ${characters} characters. A few words together are fine.`,
  passwordAgain: "Password again",
  create: "Create the account",
  logIn: "Log in",
} as const;
