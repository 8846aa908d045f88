// The names of the commands, how many arguments each takes, the name included (a negative count means at least that
// many), and what they do, for people and for EXEC. The table is built in linear memory at the start: a name of up to eight letters is one
// 64-bit number, and finding it is one probe as a rule.
import { packWord } from './bytes'

export enum Command {
  Unknown,
  Append,
  Client,
  CommandList,
  Config,
  DbSize,
  Decr,
  DecrBy,
  Del,
  Discard,
  Echo,
  Exec,
  Exists,
  Expire,
  FlushAll,
  Get,
  GetDel,
  GetSet,
  Hello,
  Incr,
  IncrBy,
  Info,
  Keys,
  Mget,
  Mset,
  Multi,
  PExpire,
  PSetEx,
  PTtl,
  Persist,
  Ping,
  Quit,
  Rename,
  Reset,
  Scan,
  Select,
  Set,
  SetEx,
  SetNx,
  StrLen,
  Time,
  Ttl,
  Type,
  Unwatch,
  Watch,
  /** What a browser says first; no command at all. */
  Web,
}

/** What a command does that EXEC must know before, see exec-bounds.ts. */
export const NONE: i32 = 0
/** Answers with the value of its first key, or of all. */
export const READS: i32 = 1
export const READS_ALL: i32 = 2
/** Needs memory for its arguments, or may change a deadline. */
export const WRITES: i32 = 4
export const EXPIRES: i32 = 8
/** May copy the value of its first key to another one. */
export const COPIES: i32 = 16
/** Deletes all keys. */
export const SWEEPS: i32 = 32
/** Answers with text of its own. */
export const TELLS: i32 = 64
/** The word behind its name is a subcommand. */
export const HAS_SUBCOMMANDS: i32 = 128

@unmanaged
class Slot {
  name: u64
  command: u16
  arity: i16
  roles: i32
}

const SLOT_SHIFT: u32 = 4
/** What packWord() leaves of each letter. */
const LETTER_MASK: u8 = 0xdf
const SLOTS_MASK: u32 = 127
const slots: usize = memory.data(2048)
const counter: usize = memory.data(4)

export function commandCount(): i32 {
  return load<i32>(counter)
}

function slotAt(index: u32): Slot {
  return changetype<Slot>(slots + ((index & SLOTS_MASK) << SLOT_SHIFT))
}

function firstSlot(name: u64): u32 {
  return <u32>((name * 0x9e3779b97f4a7c15) >> 57)
}

function define(command: Command, arity: i32, roles: i32, name: string): void {
  recognise(command, arity, roles, name)
  store<i32>(counter, commandCount() + 1)
}

/** Of what is recognised clients are not told. */
function recognise(command: Command, arity: i32, roles: i32, name: string): void {
  let packed: u64 = 0
  for (let i = name.length; i > 0; i--) {
    packed = (packed << 8) | (load<u8>(changetype<usize>(name) + ((i - 1) << 1)) & LETTER_MASK)
  }
  let index = firstSlot(packed)
  while (slotAt(index).name) index++
  const slot = slotAt(index)
  slot.name = packed
  slot.command = <u16>command
  slot.arity = <i16>arity
  slot.roles = roles
}

/** The address of the command's slot, or 0 if there is no such command. */
export function findCommand(at: usize, length: usize): usize {
  const name = packWord(at, length)
  if (!name) return 0
  let index = firstSlot(name)
  while (slotAt(index).name && slotAt(index).name != name) index++
  const slot = slotAt(index)
  return slot.name ? changetype<usize>(slot) : 0
}

export function commandOf(slot: usize): i32 {
  return changetype<Slot>(slot).command
}

export function rolesOf(slot: usize): i32 {
  return changetype<Slot>(slot).roles
}

export function acceptsCount(slot: usize, count: i32): bool {
  const arity: i32 = changetype<Slot>(slot).arity
  return arity < 0 ? count >= -arity : count == arity
}

/** What stands above a command is what docs/kv-commands.md says of it. */
export function startCommands(): void {
  // APPEND key value: adds to the end of the value; answers with its new length
  define(Command.Append, 3, WRITES, 'APPEND')
  // CLIENT subcommand [argument ...]: GETNAME, SETNAME, ID, INFO, LIST, NO-EVICT, and NO-TOUCH and
  // SETINFO of later versions
  define(Command.Client, -2, TELLS | HAS_SUBCOMMANDS, 'CLIENT')
  // COMMAND [COUNT]: an empty list; COUNT tells how many commands there are
  define(Command.CommandList, -1, TELLS | HAS_SUBCOMMANDS, 'COMMAND')
  // CONFIG subcommand [argument ...]: GET knows save, appendonly and maxmemory; SET and RESETSTAT
  // change nothing
  define(Command.Config, -2, TELLS | HAS_SUBCOMMANDS, 'CONFIG')
  // DBSIZE: how many keys there are
  define(Command.DbSize, 1, NONE, 'DBSIZE')
  // DECR key: takes 1 off a number
  define(Command.Decr, 2, WRITES, 'DECR')
  // DECRBY key decrement: takes so much off a number
  define(Command.DecrBy, 3, WRITES, 'DECRBY')
  // DEL key [key ...]: deletes keys; answers with how many there were
  define(Command.Del, -2, NONE, 'DEL')
  // UNLINK key [key ...]: as DEL
  define(Command.Del, -2, NONE, 'UNLINK')
  // DISCARD: ends a transaction without carrying it out
  define(Command.Discard, 1, NONE, 'DISCARD')
  // ECHO message: answers with the message
  define(Command.Echo, 2, NONE, 'ECHO')
  // EXEC: carries out what was queued since MULTI
  define(Command.Exec, 1, NONE, 'EXEC')
  // EXISTS key [key ...]: how many of the keys exist
  define(Command.Exists, -2, NONE, 'EXISTS')
  // EXPIRE key seconds [NX | XX | GT | LT]: lets a key expire after so long
  define(Command.Expire, -3, EXPIRES, 'EXPIRE')
  // PEXPIRE key milliseconds [NX | XX | GT | LT]: as EXPIRE
  define(Command.PExpire, -3, EXPIRES, 'PEXPIRE')
  // FLUSHALL [ASYNC | SYNC]: deletes all keys
  define(Command.FlushAll, -1, SWEEPS, 'FLUSHALL')
  // FLUSHDB [ASYNC | SYNC]: as FLUSHALL: there is one database
  define(Command.FlushAll, -1, SWEEPS, 'FLUSHDB')
  // GET key: the value
  define(Command.Get, 2, READS, 'GET')
  // GETDEL key: the value, which is deleted
  define(Command.GetDel, 2, READS, 'GETDEL')
  // GETSET key value: sets the value; answers with the old one
  define(Command.GetSet, 3, READS | WRITES, 'GETSET')
  // HELLO [2 [SETNAME name]]: tells of the server; only protocol 2 is spoken
  define(Command.Hello, -1, TELLS, 'HELLO')
  // INCR key: adds 1 to a number
  define(Command.Incr, 2, WRITES, 'INCR')
  // INCRBY key increment: adds so much to a number
  define(Command.IncrBy, 3, WRITES, 'INCRBY')
  // INFO [section ...]: tells of the server, always all that it knows
  define(Command.Info, -1, TELLS, 'INFO')
  // KEYS pattern: all keys that match; refused where it would take too long
  define(Command.Keys, 2, NONE, 'KEYS')
  // MGET key [key ...]: several values
  define(Command.Mget, -2, READS_ALL, 'MGET')
  // MSET key value [key value ...]: sets several values, all or none
  define(Command.Mset, -3, WRITES, 'MSET')
  // MULTI: begins a transaction
  define(Command.Multi, 1, NONE, 'MULTI')
  // PERSIST key: the key no longer expires
  define(Command.Persist, 2, EXPIRES, 'PERSIST')
  // PING [message]: PONG, or the message
  define(Command.Ping, -1, NONE, 'PING')
  // QUIT [argument ...]: closes the connection
  define(Command.Quit, -1, NONE, 'QUIT')
  // RENAME key newkey: gives a key another name; its value and its deadline stay
  define(Command.Rename, 3, COPIES | WRITES | EXPIRES, 'RENAME')
  // RESET: the connection is as if it were new
  define(Command.Reset, 1, NONE, 'RESET')
  // SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: some of the keys, and the cursor of the
  // next ones
  define(Command.Scan, -2, NONE, 'SCAN')
  // SELECT index: only 0 is there
  define(Command.Select, 2, NONE, 'SELECT')
  // SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT seconds | PXAT milliseconds
  // | KEEPTTL]: sets a value
  define(Command.Set, -3, READS | WRITES | EXPIRES, 'SET')
  // SETEX key seconds value: sets a value that expires
  define(Command.SetEx, 4, WRITES | EXPIRES, 'SETEX')
  // SETNX key value: sets a value if there is none; answers with 1 if so
  define(Command.SetNx, 3, WRITES, 'SETNX')
  // PSETEX key milliseconds value: as SETEX
  define(Command.PSetEx, 4, WRITES | EXPIRES, 'PSETEX')
  // STRLEN key: the length of the value
  define(Command.StrLen, 2, NONE, 'STRLEN')
  // TIME: the time of the pair, in seconds and microseconds
  define(Command.Time, 1, NONE, 'TIME')
  // TTL key: the seconds until the key expires; -1 if it does not, -2 if there is none
  define(Command.Ttl, 2, NONE, 'TTL')
  // PTTL key: as TTL, in milliseconds
  define(Command.PTtl, 2, NONE, 'PTTL')
  // TYPE key: string, or none
  define(Command.Type, 2, NONE, 'TYPE')
  // UNWATCH: watches nothing any more
  define(Command.Unwatch, 1, NONE, 'UNWATCH')
  // WATCH key [key ...]: EXEC carries out nothing if one of the keys changes before
  define(Command.Watch, -2, NONE, 'WATCH')
  recognise(Command.Web, -1, NONE, 'POST')
  recognise(Command.Web, -1, NONE, 'HOST:')
}
