// One command in the queue of a transaction, in one block of the heap: a header, then its arguments.
import { commandOf } from './command-table'
import { restoreArguments } from './request'

/** A command in a queue. */
@unmanaged
export class Queued {
  next: usize
  /** Of the table of commands. */
  slot: usize
  count: i32
  bytes: usize
  /** What it may answer with, at most. */
  answer: u32
}

export const QUEUED_HEADER: usize = 20

/** Makes a queued command the one that was read last; its number. */
export function restoreQueued(queued: usize): i32 {
  const command = changetype<Queued>(queued)
  restoreArguments(queued + QUEUED_HEADER, command.count)
  return commandOf(command.slot)
}
