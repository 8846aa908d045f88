// The commands about the server and the connection, as far as clients need them to be content: what Redis
// would say where it applies, an empty answer where there is nothing to tell.
import { usedBytes } from './allocator'
import { copyBytes } from './bytes'
import { replyWrongCount, replyWrongSubcommandCount } from './command-errors'
import { Command, commandCount } from './command-table'
import { Connection, connectionCount, nameOf, NAME_BYTES_MAX, nextConnection } from './connections'
import { matches, PATTERN_BYTES_MAX } from './glob'
import { liveKeyCount, touchAll } from './lookup'
import { formatNumber, numberEnd, parsedNumber, parseNumber } from './numbers'
import { mayAnswer, replyArray, replyBulk, replyBulkEnd, replyBulkLength } from './reply'
import { replyBulkPart, replyBulkText, replyError, replyErrorAbout, replyInteger } from './reply'
import { replyNil, replyOk, replyStatus, replyTooMuchWork } from './reply'
import { argumentAt, argumentCount, argumentIs, argumentLength } from './request'
import { refuseNumber } from './string-commands'
import { eraseAll, keyCount } from './table'
import { timerCount } from './timers'
import { endTransaction } from './transactions'
import { spend, stepsLeft } from './work'

/** What it takes to describe a connection, at most. */
const DESCRIBE_STEPS: i32 = 1000
/** Clients look at it to know which commands they may use. */
const REDIS_VERSION: string = '7.0.0'

@unmanaged
class Scratch {
  length: usize
}

@unmanaged
class Served {
  commands: u64
}

const scratch: Scratch = changetype<Scratch>(memory.data(4))
const text: usize = memory.data(1024)
const served: Served = changetype<Served>(memory.data(8))

export function countCommand(): void {
  served.commands++
}

function write(words: string): void {
  for (let i = 0; i < words.length; i++) {
    store<u8>(text + scratch.length++, load<u8>(changetype<usize>(words) + (i << 1)))
  }
}

function writeBytes(at: usize, length: usize): void {
  copyBytes(text + scratch.length, at, length)
  scratch.length += length
}

function writeField(name: string, value: i64): void {
  write(name)
  const from = formatNumber(value)
  writeBytes(from, numberEnd() - from)
}

export function ping(): void {
  if (argumentCount() == 1) replyStatus('PONG')
  else if (argumentCount() == 2) echo()
  else replyWrongCount()
}

export function echo(): void {
  replyBulk(argumentAt(1), argumentLength(1))
}

export function select(): void {
  if (!parseNumber(argumentAt(1), argumentLength(1))) refuseNumber()
  else if (<i64>(<i32>parsedNumber()) != parsedNumber()) {
    replyError('ERR value is out of range, value must between -2147483648 and 2147483647')
  } else if (parsedNumber() != 0) replyError('ERR DB index is out of range')
  else replyOk()
}

export function flushAll(): void {
  if (argumentCount() > 2 || (argumentCount() == 2 && !isFlushMode(1))) {
    replyError('ERR syntax error')
    return
  }
  touchAll()
  eraseAll()
  replyOk()
}

function isFlushMode(index: i32): bool {
  return argumentIs(index, 'SYNC') || argumentIs(index, 'ASYNC')
}

export function info(): void {
  scratch.length = 0
  write('# Server\r\nserver_name:colo-kv\r\nredis_version:')
  write(REDIS_VERSION)
  write('\r\nredis_mode:standalone\r\n\r\n# Clients')
  writeField('\r\nconnected_clients:', connectionCount())
  writeField('\r\n\r\n# Memory\r\nused_memory:', usedBytes())
  writeField('\r\nused_memory_rss:', (<i64>memory.size()) << 16)
  write('\r\n\r\n# Persistence\r\nloading:0\r\n\r\n# Stats')
  writeField('\r\ntotal_commands_processed:', served.commands)
  write('\r\n\r\n# Replication\r\nrole:master\r\n\r\n# Keyspace\r\n')
  const keys = liveKeyCount()
  if (keys) writeField('db0:keys=', keys < 0 ? keyCount() : keys)
  if (keys) writeField(',expires=', timerCount())
  if (keys) write(',avg_ttl=0\r\n')
  replyBulk(text, scratch.length)
}

/** How many arguments a subcommand takes, as in the table of commands; 0 if there is none of this name. */
function subcommandArity(command: i32): i32 {
  if (command == Command.CommandList) {
    if (argumentIs(1, 'COUNT')) return 2
    return argumentIs(1, 'DOCS') || argumentIs(1, 'INFO') || argumentIs(1, 'LIST') ? -2 : 0
  }
  if (command == Command.Config) {
    if (argumentIs(1, 'GET')) return -3
    if (argumentIs(1, 'SET')) return -4
    return argumentIs(1, 'RESETSTAT') ? 2 : 0
  }
  if (argumentIs(1, 'GETNAME') || argumentIs(1, 'ID') || argumentIs(1, 'INFO')) return 2
  if (argumentIs(1, 'SETNAME') || argumentIs(1, 'NO-EVICT') || argumentIs(1, 'NO-TOUCH')) return 3
  if (argumentIs(1, 'SETINFO')) return 4
  return argumentIs(1, 'LIST') ? -2 : 0
}

/** Whether the subcommand that was read is one, if one was; refuses the command if not. */
export function isSubcommand(command: i32): bool {
  if (argumentCount() < 2) return true
  const arity = subcommandArity(command)
  if (!arity) {
    let help = "'. Try CLIENT HELP."
    if (command == Command.Config) help = "'. Try CONFIG HELP."
    if (command == Command.CommandList) help = "'. Try COMMAND HELP."
    replyErrorAbout("ERR unknown subcommand '", argumentAt(1), argumentLength(1), help)
    return false
  }
  const count = argumentCount()
  if (arity < 0 ? count >= -arity : count == arity) return true
  replyWrongSubcommandCount()
  return false
}

export function commandList(): void {
  if (argumentCount() > 1 && argumentIs(1, 'COUNT')) replyInteger(commandCount())
  else replyArray(0)
}

export function config(): void {
  if (!argumentIs(1, 'GET')) replyOk()
  else if (arePatterns()) {
    const count = setting('save', '', false) + setting('appendonly', 'no', false)
    replyArray(count + setting('maxmemory', '0', false))
    setting('save', '', true)
    setting('appendonly', 'no', true)
    setting('maxmemory', '0', true)
  }
}

function arePatterns(): bool {
  for (let i = 2; i < argumentCount(); i++) {
    if (argumentLength(i) <= PATTERN_BYTES_MAX) continue
    replyError('ERR the pattern is longer than 1024 bytes')
    return false
  }
  return true
}

/** How many array elements a setting makes in the answer: two if a pattern names it. */
function setting(name: string, value: string, answer: bool): i32 {
  scratch.length = 0
  write(name)
  for (let i = 2; i < argumentCount(); i++) {
    if (!matches(argumentAt(i), argumentLength(i), text, scratch.length)) continue
    if (answer) {
      replyBulkText(name)
      replyBulkText(value)
    }
    return 2
  }
  return 0
}

export function client(connection: usize): void {
  const fields = changetype<Connection>(connection)
  if (argumentIs(1, 'SETNAME')) {
    if (setName(connection, 2)) replyOk()
  } else if (argumentIs(1, 'GETNAME')) {
    if (fields.nameLength) replyBulk(nameOf(connection), fields.nameLength)
    else replyNil()
  } else if (argumentIs(1, 'ID')) replyInteger(fields.conn)
  else if (argumentIs(1, 'INFO')) {
    describe(connection)
    replyBulk(text, scratch.length)
  } else if (argumentIs(1, 'LIST')) {
    if (argumentCount() > 2) replyError('ERR syntax error')
    else clientList()
  } else if (argumentIs(1, 'SETINFO') || argumentIs(2, 'ON') || argumentIs(2, 'OFF')) replyOk()
  else replyError('ERR syntax error')
}

function setName(connection: usize, index: i32): bool {
  const at = argumentAt(index)
  const length = argumentLength(index)
  if (length > NAME_BYTES_MAX) {
    replyError('ERR Client names cannot be longer than 64 bytes.')
    return false
  }
  for (let i: usize = 0; i < length; i++) {
    const byte = load<u8>(at + i)
    if (byte >= 0x21 && byte <= 0x7e) continue
    replyError('ERR Client names cannot contain spaces, newlines or special characters.')
    return false
  }
  copyBytes(nameOf(connection), at, length)
  changetype<Connection>(connection).nameLength = length
  return true
}

function describe(connection: usize): void {
  const fields = changetype<Connection>(connection)
  scratch.length = 0
  writeField('id=', fields.conn)
  write(' name=')
  writeBytes(nameOf(connection), fields.nameLength)
  write(' db=0 resp=2\n')
}

function clientList(): void {
  spend(<i32>connectionCount() * DESCRIBE_STEPS)
  if (stepsLeft() < 0) {
    replyTooMuchWork()
    return
  }
  let length: usize = 0
  for (let each = nextConnection(0); each; each = nextConnection(each)) {
    describe(each)
    length += scratch.length
  }
  if (!mayAnswer(length)) return
  replyBulkLength(length)
  for (let each = nextConnection(0); each; each = nextConnection(each)) {
    describe(each)
    replyBulkPart(text, scratch.length)
  }
  replyBulkEnd()
}

export function hello(connection: usize): void {
  const count = argumentCount()
  if (count > 1) {
    if (!parseNumber(argumentAt(1), argumentLength(1))) {
      replyError('ERR Protocol version is not an integer or out of range')
      return
    }
    if (parsedNumber() != 2) {
      replyError('NOPROTO unsupported protocol version')
      return
    }
  }
  for (let i = 2; i < count; i += 2) {
    if (!argumentIs(i, 'SETNAME') || i + 1 == count) {
      replyErrorAbout("ERR Syntax error in HELLO option '", argumentAt(i), argumentLength(i), "'")
      return
    }
    if (!setName(connection, i + 1)) return
  }
  replyArray(14)
  replyBulkText('server')
  replyBulkText('redis')
  replyBulkText('version')
  replyBulkText(REDIS_VERSION)
  replyBulkText('proto')
  replyInteger(2)
  replyBulkText('id')
  replyInteger(changetype<Connection>(connection).conn)
  replyBulkText('mode')
  replyBulkText('standalone')
  replyBulkText('role')
  replyBulkText('master')
  replyBulkText('modules')
  replyArray(0)
}

export function reset(connection: usize): void {
  const fields = changetype<Connection>(connection)
  fields.nameLength = 0
  endTransaction(connection)
  replyStatus('RESET')
}
