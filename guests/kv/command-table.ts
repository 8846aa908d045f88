// The names of the commands and how many arguments each takes, the name included; a negative count means at
// least that many. The table is built in linear memory at the start: a name of up to eight letters is one
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
  GetSet,
  Hello,
  Incr,
  IncrBy,
  Info,
  Keys,
  Mget,
  Mset,
  Multi,
  Ping,
  Quit,
  Reset,
  Scan,
  Select,
  Set,
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

@unmanaged
class Slot {
  name: u64
  command: i32
  arity: i32
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

function define(command: Command, arity: i32, name: string): void {
  recognise(command, arity, name)
  store<i32>(counter, commandCount() + 1)
}

/** Of what is recognised clients are not told. */
function recognise(command: Command, arity: i32, name: string): void {
  let packed: u64 = 0
  for (let i = name.length; i > 0; i--) {
    packed = (packed << 8) | (load<u8>(changetype<usize>(name) + ((i - 1) << 1)) & LETTER_MASK)
  }
  let index = firstSlot(packed)
  while (slotAt(index).name) index++
  const slot = slotAt(index)
  slot.name = packed
  slot.command = command
  slot.arity = arity
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

export function acceptsCount(slot: usize, count: i32): bool {
  const arity = changetype<Slot>(slot).arity
  return arity < 0 ? count >= -arity : count == arity
}

export function startCommands(): void {
  define(Command.Append, 3, 'APPEND')
  define(Command.Client, -2, 'CLIENT')
  define(Command.CommandList, -1, 'COMMAND')
  define(Command.Config, -2, 'CONFIG')
  define(Command.DbSize, 1, 'DBSIZE')
  define(Command.Decr, 2, 'DECR')
  define(Command.DecrBy, 3, 'DECRBY')
  define(Command.Del, -2, 'DEL')
  define(Command.Del, -2, 'UNLINK')
  define(Command.Discard, 1, 'DISCARD')
  define(Command.Echo, 2, 'ECHO')
  define(Command.Exec, 1, 'EXEC')
  define(Command.Exists, -2, 'EXISTS')
  define(Command.Expire, -3, 'EXPIRE')
  define(Command.Expire, -3, 'PEXPIRE')
  define(Command.Expire, 4, 'SETEX')
  define(Command.Expire, 4, 'PSETEX')
  define(Command.FlushAll, -1, 'FLUSHALL')
  define(Command.FlushAll, -1, 'FLUSHDB')
  define(Command.Get, 2, 'GET')
  define(Command.GetSet, 3, 'GETSET')
  define(Command.Hello, -1, 'HELLO')
  define(Command.Incr, 2, 'INCR')
  define(Command.IncrBy, 3, 'INCRBY')
  define(Command.Info, -1, 'INFO')
  define(Command.Keys, 2, 'KEYS')
  define(Command.Mget, -2, 'MGET')
  define(Command.Mset, -3, 'MSET')
  define(Command.Multi, 1, 'MULTI')
  define(Command.Ping, -1, 'PING')
  define(Command.Quit, -1, 'QUIT')
  define(Command.Reset, 1, 'RESET')
  define(Command.Scan, -2, 'SCAN')
  define(Command.Select, 2, 'SELECT')
  define(Command.Set, -3, 'SET')
  define(Command.SetNx, 3, 'SETNX')
  define(Command.StrLen, 2, 'STRLEN')
  define(Command.Time, 1, 'TIME')
  define(Command.Ttl, 2, 'TTL')
  define(Command.Ttl, 2, 'PTTL')
  define(Command.Type, 2, 'TYPE')
  define(Command.Unwatch, 1, 'UNWATCH')
  define(Command.Watch, -2, 'WATCH')
  recognise(Command.Web, -1, 'POST')
  recognise(Command.Web, -1, 'HOST:')
}
