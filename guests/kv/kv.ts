// A key-value service that speaks Redis' protocol (RESP2), as a guest: the host tells it what connections
// open, send and close, and it answers through the host. All it knows lies in linear memory, in static
// structures of each file and in the heap; there is no mutable global, so a copy of the memory is a copy of
// the service. README.md of guests/counter explains the contract with the host.
import { allocate, release, startHeap } from './allocator'
import { close } from './colo'
import { startClock } from './clock'
import { startCommands } from './command-table'
import { execute } from './commands'
import { appendPending, closeConnection, Connection, consumePending } from './connections'
import { findConnection, openConnection } from './connections'
import { eraseExpired, EXPIRED_A_CALL, EXPIRED_A_COMMAND } from './lookup'
import { flushReply, replyError, replyOutOfMemory, startReply } from './reply'
import { argumentCount, BROKEN, INCOMPLETE, readCommand } from './request'
import { releaseSlice } from './retired'
import { startTable } from './table'
import { timerCount } from './timers'
import { endTransaction } from './transactions'
import { startWork } from './work'

export const colo_abi: i32 = 1

const INPUT_BYTES: i32 = 65536
const INPUT_BYTES_MAX: i32 = 1024 * 1024

@unmanaged
class Input {
  /** A larger buffer than the static one, once the host has asked for one; or 0. */
  large: usize
  largeSize: i32
}

const input: Input = changetype<Input>(memory.data(8))
const buffer: usize = memory.data(65536)

export function colo_start(): void {
  startHeap()
  startTable()
  startCommands()
}

export function colo_buffer(size: i32): usize {
  if (<u32>size <= <u32>INPUT_BYTES) return buffer
  if (<u32>size > <u32>INPUT_BYTES_MAX) return 0
  if (size <= input.largeSize) return input.large
  const larger = allocate(size)
  if (!larger) return 0
  if (input.large) release(input.large)
  input.large = larger
  input.largeSize = size
  return larger
}

/** What each call begins with. */
function startCall(): void {
  startWork()
  startClock()
  releaseSlice()
  eraseExpired(EXPIRED_A_CALL)
}

function forget(conn: i32): void {
  const connection = findConnection(conn)
  if (!connection) return
  endTransaction(connection)
  closeConnection(conn)
}

export function colo_open(conn: i32): void {
  startCall()
  forget(conn)
  if (openConnection(conn)) return
  startReply(conn)
  replyError('ERR max number of clients reached')
  flushReply()
  close(conn)
}

export function colo_close(conn: i32): void {
  forget(conn)
}

/** A connection that is to be closed is forgotten at once: what may still come from it means nothing. */
export function colo_input(conn: i32, at: usize, length: i32): void {
  const connection = findConnection(conn)
  if (!connection) return
  const fields = changetype<Connection>(connection)
  if (length <= 0) return
  startCall()
  startReply(conn)
  if (fields.pending) {
    if (appendPending(connection, at, length)) {
      const from = fields.pending
      consumePending(connection, serve(connection, from, from + fields.pendingLength))
    } else giveUp(connection)
  } else {
    const served = serve(connection, at, at + length)
    const rest = <usize>length - served
    if (rest && !appendPending(connection, at + served, rest)) giveUp(connection)
  }
  flushReply()
  if (!fields.closing) return
  forget(conn)
  close(conn)
}

/** Carries out the commands that are complete; how many bytes that were. */
function serve(connection: usize, start: usize, end: usize): usize {
  const fields = changetype<Connection>(connection)
  let at = start
  while (at < end && !fields.closing) {
    const after = readCommand(at, end)
    if (after == INCOMPLETE) return at - start
    if (after == BROKEN) fields.closing = true
    else {
      at = after
      if (timerCount()) eraseExpired(EXPIRED_A_COMMAND)
      if (argumentCount()) execute(connection)
    }
  }
  return fields.closing ? end - start : at - start
}

/** There is no room for the command a client is sending, so its end would never be found. */
function giveUp(connection: usize): void {
  replyOutOfMemory()
  changetype<Connection>(connection).closing = true
}
