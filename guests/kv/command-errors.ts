// The errors that name the command that was read last, in small letters as Redis does.
import { addShown, addSmallLetters, addWords, endError, SHOWN_BYTES_MAX, startError } from './reply'
import { argumentAt, argumentCount, argumentLength } from './request'

function addName(index: i32): void {
  addSmallLetters(argumentAt(index), argumentLength(index))
}

export function replyWrongCount(): void {
  startError("ERR wrong number of arguments for '")
  addName(0)
  addWords("' command")
  endError()
}

/** The name of CLIENT SETNAME is client|setname. */
export function replyWrongSubcommandCount(): void {
  startError("ERR wrong number of arguments for '")
  addName(0)
  addWords('|')
  addName(1)
  addWords("' command")
  endError()
}

export function replyInvalidExpiry(): void {
  startError("ERR invalid expire time in '")
  addName(0)
  addWords("' command")
  endError()
}

/** The name and the first arguments, as far as they fit. */
export function replyUnknownCommand(): void {
  startError("ERR unknown command '")
  addShown(argumentAt(0), argumentLength(0))
  addWords("', with args beginning with: ")
  let total: usize = 0
  for (let i = 1; i < argumentCount() && total < SHOWN_BYTES_MAX; i++) {
    addWords("'")
    total += addShown(argumentAt(i), min(argumentLength(i), SHOWN_BYTES_MAX - total)) + 3
    addWords("' ")
  }
  endError()
}
