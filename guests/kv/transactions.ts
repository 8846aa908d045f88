// MULTI: commands are copied into a queue, and EXEC carries them out in one call of the host. What clients can make
// the guest keep in queues is limited. exec-bounds.ts limits what EXEC may take.
import { release } from './allocator'
import { Connection } from './connections'
import { measure } from './exec-bounds'
import { Queued, QUEUED_HEADER } from './queued'
import { isAnyExpired, seekArgument } from './lookup'
import { addWords, endError, replyArray, replyError, replyNilArray, replyOk } from './reply'
import { replyOutOfMemory, replyStatus, startError } from './reply'
import { argumentCount, savedBytes, saveArguments } from './request'
import { allocateEntry } from './retired'
import { unwatch, watch } from './watches'

/** Of one connection, and of all. */
const COMMANDS_MAX: i32 = 65_536
const BYTES_MAX: usize = 4 * 1024 * 1024
const BYTES_OF_ALL_MAX: usize = 16 * 1024 * 1024

@unmanaged
class Queues {
  bytes: usize
}

const queues: Queues = changetype<Queues>(memory.data(4))

export function multi(connection: usize): void {
  const fields = changetype<Connection>(connection)
  if (fields.inMulti) return replyError('ERR MULTI calls can not be nested')
  fields.inMulti = true
  replyOk()
}

/** An error was answered to a command of a transaction, so EXEC will refuse all of it. */
export function spoil(connection: usize): void {
  const fields = changetype<Connection>(connection)
  if (!fields.inMulti) return
  fields.isSpoiled = true
  dropQueue(connection)
}

/** Puts the command that was read last into the queue; nothing is kept of what can't be carried out any more. */
export function enqueue(connection: usize, slot: usize): void {
  const fields = changetype<Connection>(connection)
  if (!fields.isSpoiled && !fields.isTouched && !append(connection, slot)) return spoil(connection)
  replyStatus('QUEUED')
}

function append(connection: usize, slot: usize): bool {
  const fields = changetype<Connection>(connection)
  const bytes = QUEUED_HEADER + savedBytes()
  if (fields.queuedCount == COMMANDS_MAX || fields.queuedBytes + bytes > BYTES_MAX) {
    replyError('ERR the transaction is too large: 65536 commands and 4 MiB are the most')
    return false
  }
  if (queues.bytes + bytes > BYTES_OF_ALL_MAX) {
    replyError('ERR the transactions of all clients are too large: 16 MiB are the most, try again')
    return false
  }
  const queued = allocateEntry(bytes)
  if (!queued) {
    replyOutOfMemory()
    return false
  }
  const command = changetype<Queued>(queued)
  command.next = 0
  command.slot = slot
  command.count = argumentCount()
  command.bytes = bytes
  saveArguments(queued + QUEUED_HEADER)
  if (fields.lastQueued) changetype<Queued>(fields.lastQueued).next = queued
  else fields.firstQueued = queued
  fields.lastQueued = queued
  fields.queuedCount++
  fields.queuedBytes += bytes
  queues.bytes += bytes
  return true
}

/** Releases a command that is in no queue any more; the one behind it, or 0. */
export function releaseQueued(queued: usize): usize {
  const next = changetype<Queued>(queued).next
  queues.bytes -= changetype<Queued>(queued).bytes
  release(queued)
  return next
}

/** Takes all commands out of the queue; the first of them, or 0. */
function takeQueue(connection: usize): usize {
  const fields = changetype<Connection>(connection)
  const first = fields.firstQueued
  fields.firstQueued = 0
  fields.lastQueued = 0
  fields.queuedCount = 0
  fields.queuedBytes = 0
  return first
}

function dropQueue(connection: usize): void {
  for (let queued = takeQueue(connection); queued;) queued = releaseQueued(queued)
}

/** Nothing is queued and nothing watched afterwards. */
export function endTransaction(connection: usize): void {
  const fields = changetype<Connection>(connection)
  dropQueue(connection)
  unwatch(connection)
  fields.inMulti = false
  fields.isSpoiled = false
  fields.isTouched = false
}

/** The first command that EXEC is to carry out, behind the head of the answer; or 0 if all is answered already. */
export function startExec(connection: usize): usize {
  const fields = changetype<Connection>(connection)
  if (!fields.inMulti) {
    replyError('ERR EXEC without MULTI')
    return 0
  }
  if (isAnyExpired(fields.watches)) fields.isTouched = true
  if (fields.isSpoiled) {
    replyError('EXECABORT Transaction discarded because of previous errors.')
  } else if (fields.isTouched) replyNilArray()
  else if (!fields.firstQueued) replyArray(0)
  else {
    const reason = measure(fields.firstQueued)
    if (!reason.length) {
      replyArray(fields.queuedCount)
      const first = takeQueue(connection)
      endTransaction(connection)
      return first
    }
    refuseExec(reason)
  }
  endTransaction(connection)
  return 0
}

function refuseExec(reason: string): void {
  startError('EXECABORT Transaction discarded because of: ')
  addWords(reason)
  endError()
}

/** EXEC itself is wrong, which ends the transaction if there is one. */
export function refuseExecCount(connection: usize): void {
  endTransaction(connection)
  refuseExec("wrong number of arguments for 'exec' command")
}

export function discard(connection: usize): void {
  if (!changetype<Connection>(connection).inMulti) return replyError('ERR DISCARD without MULTI')
  endTransaction(connection)
  replyOk()
}

/** A key that has expired is not there, and so does not expire later. */
export function watchKeys(connection: usize): void {
  if (changetype<Connection>(connection).inMulti) {
    return replyError('ERR WATCH inside MULTI is not allowed')
  }
  for (let i = 1; i < argumentCount(); i++) seekArgument(i)
  watch(connection)
}

export function unwatchKeys(connection: usize): void {
  unwatch(connection)
  changetype<Connection>(connection).isTouched = false
  replyOk()
}
