// What EXEC may take. It carries out a whole queue in one call of the host, so before it does anything it goes through
// the queue and counts, upwards, the steps, the bytes of answers and the memory that all of it may need. What is too
// much is refused as a whole. What looks at many keys or connections (KEYS, SCAN, DBSIZE, CLIENT LIST) is not counted:
// it changes nothing, and may be refused by itself with what the others leave.
//
// A value is never longer than it is now and all that the commands before may have written.
import { capacityOf, release } from './allocator'
import { hashBytes } from './bytes'
import { Command, COPIES, EXPIRES, READS, READS_ALL, rolesOf, SWEEPS, TELLS } from './command-table'
import { WRITES } from './command-table'
import { entryBytes, VALUE_BYTES_MAX, valueLengthOf } from './entry'
import { peekArgument } from './lookup'
import { Queued, restoreQueued } from './queued'
import { hasRoomFor, promise } from './reply'
import { argumentAt, argumentCount, argumentIs, argumentLength, argumentsBytes } from './request'
import { allocateEntry } from './retired'
import { TIMERS_BYTES } from './timers'
import { copySteps, spend, stepsLeft } from './work'

const COMMAND_STEPS: i64 = 200
const ARGUMENT_STEPS: i64 = 100
const EXPIRES_STEPS: i64 = 300
const SWEEPS_STEPS: i64 = 20_000
/** An answer that is no value, and shows no argument. */
const ANSWER_BYTES: u64 = 160
const TOLD_BYTES: u64 = 1024
/** What a value takes in an answer besides its bytes, and a key and a value in memory. */
const ELEMENT_BYTES: u64 = 16
const KEY_BYTES: u64 = 64
/** The longest number that INCR makes. */
const NUMBER_BYTES: u64 = 20
/** How many keys are remembered that APPEND was counted for. */
const APPENDED_BYTES: usize = 1024

@unmanaged
class Needs {
  steps: i64
  answer: u64
  memory: u64
  /** By the commands that were counted already. */
  written: u64
  expires: bool
  appends: bool
}

const needs: Needs = changetype<Needs>(memory.data(40, 8))
const appended: usize = memory.data(1024)

/**
 * Counts what the commands of a queue need and sets that aside. Empty if they may be carried out, else the reason
 * why not.
 */
export function measure(first: usize): string {
  memory.fill(changetype<usize>(needs), 0, offsetof<Needs>())
  memory.fill(appended, 0, APPENDED_BYTES)
  for (let queued = first; queued; queued = changetype<Queued>(queued).next) count(queued)
  if (needs.appends) needs.memory += 2 * needs.written
  if (needs.expires) needs.memory += TIMERS_BYTES
  if (needs.steps > stepsLeft()) return 'it would take too long: queue less at a time'
  if (!hasRoomFor(needs.answer))
    return 'the answer would be longer than 16 MiB: queue less at a time'
  if (!isFree(needs.memory)) return "OOM command not allowed when used memory > 'maxmemory'."
  spend(<i32>needs.steps)
  promise(needs.answer)
  return ''
}

/** In one piece: then all the pieces that come to no more can be allocated too. */
function isFree(bytes: u64): bool {
  if (!bytes) return true
  const piece = bytes < <u64>i32.MAX_VALUE ? allocateEntry(<usize>bytes) : 0
  if (piece) release(piece)
  return piece != 0
}

function count(queued: usize): void {
  const fields = changetype<Queued>(queued)
  const command = restoreQueued(queued)
  const roles = rolesOf(fields.slot)
  const bytes: u64 = argumentsBytes()
  needs.steps += COMMAND_STEPS + ARGUMENT_STEPS * fields.count + bytes
  // A plain SET has no deadline.
  if (roles & EXPIRES && (command != Command.Set || fields.count > 3)) {
    needs.steps += EXPIRES_STEPS
    needs.expires = true
  }
  if (roles & SWEEPS) needs.steps += SWEEPS_STEPS
  countAnswer(fields, command, roles, ANSWER_BYTES + bytes)
  if (command == Command.Append) countAppend()
  if (roles & COPIES) countRename()
  if (!(roles & WRITES)) return
  needs.memory += bytes + (bytes >> 3) + KEY_BYTES * <u64>fields.count
  needs.written += bytes + NUMBER_BYTES
}

function countAnswer(fields: Queued, command: i32, roles: i32, least: u64): void {
  let answer = least
  if (roles & TELLS) answer += TOLD_BYTES
  if (roles & READS && (command != Command.Set || isWithGet())) answer += valueBytes(1)
  if (roles & READS_ALL) for (let i = 1; i < fields.count; i++) answer += valueBytes(i)
  fields.answer = <u32>min<u64>(answer, u32.MAX_VALUE)
  needs.answer += answer
  needs.steps += copySteps(<usize>fields.answer)
}

function isWithGet(): bool {
  for (let i = 3; i < argumentCount(); i++) if (argumentIs(i, 'GET')) return true
  return false
}

/** How long the value of a key may be when its command comes. */
function lengthLater(entry: usize): u64 {
  return min<u64>(VALUE_BYTES_MAX, needs.written + (entry ? valueLengthOf(entry) : 0))
}

function valueBytes(index: i32): u64 {
  return ELEMENT_BYTES + lengthLater(peekArgument(index))
}

/**
 * A value that grows is copied when its block is full, and then has room for half as much again. So this is counted
 * once for each key; what is copied of it later is in proportion to what was written.
 */
function countAppend(): void {
  needs.appends = true
  const hash = hashBytes(argumentAt(1), argumentLength(1)) | 1
  const remembered = appended + (<usize>hash & (APPENDED_BYTES - 4))
  if (load<u32>(remembered) == hash) return
  store<u32>(remembered, hash)
  const length = lengthLater(peekArgument(1))
  needs.steps += copySteps(<usize>length)
  needs.memory += length + (length >> 1) + (length >> 3)
}

/** Twice: the new block has no room to grow, so an APPEND to it copies the value again. */
function countRename(): void {
  const entry = peekArgument(1)
  const length = lengthLater(entry)
  needs.steps += 2 * copySteps(<usize>length)
  if (!entry || capacityOf(entry) < entryBytes(argumentLength(2), <usize>length)) {
    needs.memory += length + (length >> 3)
  }
  if (entry) needs.written += valueLengthOf(entry)
}
