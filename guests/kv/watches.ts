// WATCH: which connections want to know whether a key changes before their EXEC. Each watched key is in a small hash
// table of its own, with the list of its watches, so a command that changes a key looks there once, and not at all
// while nobody watches anything. A connection that is told of a change watches nothing more, as in Redis.
//
// What clients can make the guest keep is limited, and so is a chain of keys whose hashes agree.
import { release } from './allocator'
import { copyBytes, equalBytes, hashBytes } from './bytes'
import { Connection } from './connections'
import { replyError, replyOk, replyOutOfMemory } from './reply'
import { argumentAt, argumentCount, argumentLength, argumentsBytes } from './request'
import { allocateEntry } from './retired'

export const CHAINS: u32 = 1024
const CHAIN_MAX: u32 = 64
/** Keys that one connection, and all of them, may watch; a key counts for each connection. */
const OF_ONE_MAX: i32 = 1024
const OF_ALL_MAX: i32 = 16_384
const KEY_BYTES_MAX: usize = 4 * 1024 * 1024

@unmanaged
export class WatchedKey {
  next: usize
  hash: u32
  length: usize
  /** The first watch of this key. */
  watches: usize
}

const KEY_HEADER: usize = 16

@unmanaged
class Watch {
  key: usize
  connection: usize
  /** The neighbours among the watches of the key, and the next one of the connection; or 0. */
  before: usize
  after: usize
  nextOfConnection: usize
}

const WATCH_BYTES: usize = 20

@unmanaged
class Watches {
  count: i32
  /** Of all keys that are watched. */
  keyBytes: usize
}

const watches: Watches = changetype<Watches>(memory.data(8))
const chains: usize = memory.data(4096)

/** The link that holds the key, or the empty one at the end of its chain; or 0 if that is full. */
function linkOf(at: usize, length: usize, hash: u32): usize {
  let link = chains + ((hash & (CHAINS - 1)) << 2)
  let found = load<usize>(link)
  for (let chain: u32 = 0; found; chain++) {
    const fields = changetype<WatchedKey>(found)
    if (fields.hash == hash && fields.length == length) {
      if (equalBytes(found + KEY_HEADER, at, length)) return link
    }
    if (chain == CHAIN_MAX) return 0
    link = found
    found = fields.next
  }
  return link
}

/** A key is changed or deleted, or one of this name is made. */
export function touch(at: usize, length: usize, hash: u32): void {
  const link = linkOf(at, length, hash)
  const key = link ? load<usize>(link) : 0
  if (key) touchWatchers(key)
}

/** The key goes with its last watch. */
export function touchWatchers(key: usize): void {
  let watch = changetype<WatchedKey>(key).watches
  while (watch) {
    const isLast = changetype<Watch>(watch).after == 0
    const connection = changetype<Watch>(watch).connection
    changetype<Connection>(connection).isTouched = true
    unwatch(connection)
    if (isLast) return
    watch = changetype<WatchedKey>(key).watches
  }
}

export function isAnythingWatched(): bool {
  return watches.count > 0
}

/** The key of a watch, and the next watch of the same connection. */
export function watchedBy(watch: usize): usize {
  return changetype<Watch>(watch).key
}

export function nextWatch(watch: usize): usize {
  return changetype<Watch>(watch).nextOfConnection
}

/** The first key of a chain of watched keys, or 0. */
export function firstWatchedIn(chain: u32): usize {
  return load<usize>(chains + (chain << 2))
}

export function watchedKeyOf(key: usize): usize {
  return key + KEY_HEADER
}

/** Ends all watches of a connection. */
export function unwatch(connection: usize): void {
  unwatchUntil(connection, 0)
}

/** Ends those that were added behind one of them. */
function unwatchUntil(connection: usize, last: usize): void {
  const fields = changetype<Connection>(connection)
  while (fields.watches != last) {
    const watch = fields.watches
    fields.watches = changetype<Watch>(watch).nextOfConnection
    fields.watchCount--
    unlink(watch)
  }
}

function unlink(watch: usize): void {
  const fields = changetype<Watch>(watch)
  const key = changetype<WatchedKey>(fields.key)
  if (fields.after) changetype<Watch>(fields.after).before = fields.before
  if (fields.before) changetype<Watch>(fields.before).after = fields.after
  else key.watches = fields.after
  if (!key.watches) {
    store<usize>(linkOf(fields.key + KEY_HEADER, key.length, key.hash), key.next)
    watches.keyBytes -= key.length
    release(fields.key)
  }
  release(watch)
  watches.count--
}

function isWatching(connection: usize, key: usize): bool {
  let watch = changetype<Connection>(connection).watches
  while (watch && changetype<Watch>(watch).key != key) {
    watch = changetype<Watch>(watch).nextOfConnection
  }
  return watch != 0
}

/** All keys of the command or none of them. */
export function watch(connection: usize): void {
  const fields = changetype<Connection>(connection)
  const count = argumentCount() - 1
  if (fields.isTouched) return replyOk()
  if (fields.watchCount + count > OF_ONE_MAX || watches.count + count > OF_ALL_MAX) {
    return replyError('ERR too many keys are watched: at most 1024 here and 16384 by all clients')
  }
  if (watches.keyBytes + argumentsBytes() > KEY_BYTES_MAX) {
    return replyError('ERR the watched keys would have more than 4 MiB')
  }
  const last = fields.watches
  for (let i = 1; i <= count; i++) {
    if (add(connection, argumentAt(i), argumentLength(i))) continue
    unwatchUntil(connection, last)
    return
  }
  replyOk()
}

function add(connection: usize, at: usize, length: usize): bool {
  const hash = hashBytes(at, length)
  const link = linkOf(at, length, hash)
  if (!link) {
    replyError('ERR too many watched keys have the hash of this one: use another key')
    return false
  }
  let key = load<usize>(link)
  if (key && isWatching(connection, key)) return true
  const watch = allocateEntry(WATCH_BYTES)
  if (watch && !key) key = addKey(link, at, length, hash)
  if (!watch || !key) {
    if (watch) release(watch)
    replyOutOfMemory()
    return false
  }
  const owner = changetype<Connection>(connection)
  const fields = changetype<Watch>(watch)
  const first = changetype<WatchedKey>(key).watches
  fields.key = key
  fields.connection = connection
  fields.before = 0
  fields.after = first
  fields.nextOfConnection = owner.watches
  if (first) changetype<Watch>(first).before = watch
  changetype<WatchedKey>(key).watches = watch
  owner.watches = watch
  owner.watchCount++
  watches.count++
  return true
}

function addKey(link: usize, at: usize, length: usize, hash: u32): usize {
  const key = allocateEntry(KEY_HEADER + length)
  if (!key) return 0
  const fields = changetype<WatchedKey>(key)
  fields.next = 0
  fields.hash = hash
  fields.length = length
  fields.watches = 0
  copyBytes(key + KEY_HEADER, at, length)
  store<usize>(link, key)
  watches.keyBytes += length
  return key
}
