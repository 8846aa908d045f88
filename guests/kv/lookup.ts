// Finds keys as commands see them: one that has expired is not there. It is erased when somebody looks for it, and
// some of those that nobody looks for are erased with each call and each command, so that their memory comes back
// as fast as clients can take it.
import { isShortOf } from './allocator'
import { hashBytes } from './bytes'
import { Entry, entryBytes, keyLengthOf, keyOf } from './entry'
import { argumentAt, argumentLength } from './request'
import { erase, keyCount, locate } from './table'
import { countExpired, firstExpired, isExpired } from './timers'
import { CHAINS, firstWatchedIn, isAnythingWatched, nextWatch, touchWatchers } from './watches'
import { watchedBy, WatchedKey, watchedKeyOf } from './watches'
import { spend, stepsLeft } from './work'

/** To erase a key that has expired: all it touches is likely to be far apart in memory. */
const EXPIRY_STEPS: i32 = 500
/** What each call does of it, and each command. */
export const EXPIRED_A_CALL: i32 = 400
export const EXPIRED_A_COMMAND: i32 = 2
const COUNT_STEPS: i32 = 10

/** As locate(), but erases a key that has expired. */
export function seek(at: usize, length: usize, hash: u32): usize {
  const link = locate(at, length, hash)
  const entry = load<usize>(link)
  // Most keys have no deadline, and this is where a GET spends its time.
  if (!entry || !changetype<Entry>(entry).timer || !isExpired(entry)) return link
  erase(link)
  return locate(at, length, hash)
}

/** The link of the key that an argument names. */
export function seekArgument(index: i32): usize {
  const at = argumentAt(index)
  const length = argumentLength(index)
  return seek(at, length, hashBytes(at, length))
}

/** The entry of the key that an argument names, or 0; changes nothing. */
export function peekArgument(index: i32): usize {
  const at = argumentAt(index)
  const length = argumentLength(index)
  const entry = load<usize>(locate(at, length, hashBytes(at, length)))
  return entry && !isExpired(entry) ? entry : 0
}

function eraseFirstExpired(entry: usize): void {
  erase(locate(keyOf(entry), keyLengthOf(entry), changetype<Entry>(entry).hash))
  spend(EXPIRY_STEPS)
}

export function eraseExpired(most: i32): void {
  for (; most > 0; most--) {
    const entry = firstExpired()
    if (!entry) return
    eraseFirstExpired(entry)
  }
}

/** For a command of so many bytes, which may need memory: what has expired makes room for it. */
export function makeRoom(bytes: usize): void {
  const enough = stepsLeft() >> 1
  while (isShortOf(entryBytes(0, 2 * bytes) + 1024) && stepsLeft() > enough) {
    const entry = firstExpired()
    if (!entry) return
    eraseFirstExpired(entry)
  }
}

/** How many keys have not expired; or -1 if so many have that it takes too long to count them. */
export function liveKeyCount(): i64 {
  const enough = stepsLeft() >> 1
  while (stepsLeft() > enough) {
    const entry = firstExpired()
    if (!entry) return keyCount()
    eraseFirstExpired(entry)
  }
  const most = max(0, stepsLeft() / COUNT_STEPS)
  const expired = countExpired(most)
  spend(<i32>expired * COUNT_STEPS)
  return expired > <u32>most ? -1 : <i64>keyCount() - expired
}

/** Whether one of a connection's watched keys, given by the first watch, has expired and is not erased yet. */
export function isAnyExpired(watch: usize): bool {
  for (; watch; watch = nextWatch(watch)) {
    const key = watchedBy(watch)
    const fields = changetype<WatchedKey>(key)
    const entry = load<usize>(locate(watchedKeyOf(key), fields.length, fields.hash))
    if (entry && isExpired(entry)) return true
  }
  return false
}

/** For FLUSHALL, which changes nothing where a watched key is not there. */
export function touchAll(): void {
  if (!isAnythingWatched()) return
  for (let chain: u32 = 0; chain < CHAINS; chain++) {
    // With a key others may go out of the chain, so it is gone through from its start again.
    let key = firstWatchedIn(chain)
    while (key) {
      const fields = changetype<WatchedKey>(key)
      if (load<usize>(locate(watchedKeyOf(key), fields.length, fields.hash))) {
        touchWatchers(key)
        key = firstWatchedIn(chain)
      } else key = fields.next
    }
  }
}
