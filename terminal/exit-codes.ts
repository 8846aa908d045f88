// How `colo` ends: one table for the process, the help and the docs. A script can tell a run that broke its
// promise from a command that was mistyped and from a side that said no.

export const EXIT_CODES = {
  done: { code: 0, meaning: 'done, or the run ended as wished' },
  broken: {
    code: 1,
    meaning: 'the run broke its promise: writes lost, wrong end state, bad stream',
  },
  usage: { code: 2, meaning: 'the arguments are wrong, or the tool itself failed' },
  nobody: { code: 3, meaning: 'there is nobody to talk to' },
  refused: { code: 4, meaning: 'the side refused; its code and the way out are in the message' },
} as const

export type ExitName = keyof typeof EXIT_CODES

/** An error whose message is all that the user sees: the thing, the reason and the way out, in one line. */
export class CliError extends Error {
  readonly exit: ExitName

  constructor(exit: ExitName, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}

/** The message of whatever was thrown, as one line. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error)
  return text.split('\n').join(' ').trim()
}
