// What the sign-in page says.
export const words = {
  title: 'Sign in',
  none: 'Sign in with a one-time link',
  noneText: 'Quarterdeck has no password to guess. Ask the machine it runs on for a link and open it here:',
  refused: 'This link does not work any more',
  refusedText: 'A sign-in link works once and for ten minutes. Make a new one:',
  ended: 'You are signed out',
  endedText: 'The session has ended. To come back, make a new link on the machine that runs Quarterdeck:',
  command: 'quarterdeck open',
  why: 'What the server said',
} as const;
