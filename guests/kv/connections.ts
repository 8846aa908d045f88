// What is known of each connection: its number, a client's name for it, and the bytes of a command that is
// not complete yet. After a failover the host closes all connections by colo_close, as if the clients had.
import { allocate, capacityOf, release } from './allocator'
import { allocateHeard } from './retired'

const CONNECTIONS_MAX: u32 = 4096
const CHAINS: i32 = 1024
export const NAME_BYTES_MAX: usize = 64
/** A buffer larger than this is given back when little of it is needed. */
const KEPT_BYTES: usize = 4096

@unmanaged
export class Connection {
  conn: i32
  next: usize
  /** The address of the incomplete command, or 0. */
  pending: usize
  pendingLength: usize
  closing: bool
  /** What transactions.ts and watches.ts keep. */
  inMulti: bool
  isSpoiled: bool
  isTouched: bool
  nameLength: usize
  firstQueued: usize
  lastQueued: usize
  queuedCount: i32
  queuedBytes: usize
  watches: usize
  watchCount: i32
}

@unmanaged
class Connections {
  count: u32
}

const connections: Connections = changetype<Connections>(memory.data(4))
const chains: usize = memory.data(4096)

export function connectionCount(): u32 {
  return connections.count
}

/** The link that holds the connection, or the empty one at the end of its chain. */
function linkOf(conn: i32): usize {
  let link = chains + ((conn & (CHAINS - 1)) << 2)
  let found = load<usize>(link)
  while (found && changetype<Connection>(found).conn != conn) {
    link = found + offsetof<Connection>('next')
    found = load<usize>(link)
  }
  return link
}

/** The connection's address, or 0. */
export function findConnection(conn: i32): usize {
  return load<usize>(linkOf(conn))
}

export function nameOf(connection: usize): usize {
  return connection + offsetof<Connection>()
}

/** False if there are too many, or memory is full. */
export function openConnection(conn: i32): bool {
  if (connections.count == CONNECTIONS_MAX) return false
  const connection = allocateHeard(offsetof<Connection>() + NAME_BYTES_MAX)
  if (!connection) return false
  memory.fill(connection, 0, offsetof<Connection>())
  changetype<Connection>(connection).conn = conn
  store<usize>(linkOf(conn), connection)
  connections.count++
  return true
}

export function closeConnection(conn: i32): void {
  const link = linkOf(conn)
  const connection = load<usize>(link)
  if (!connection) return
  store<usize>(link, changetype<Connection>(connection).next)
  dropPending(connection)
  release(connection)
  connections.count--
}

export function dropPending(connection: usize): void {
  const fields = changetype<Connection>(connection)
  if (fields.pending) release(fields.pending)
  fields.pending = 0
  fields.pendingLength = 0
}

/** Adds to the incomplete command; false if memory is full. */
export function appendPending(connection: usize, at: usize, length: usize): bool {
  const fields = changetype<Connection>(connection)
  const total = fields.pendingLength + length
  const capacity = fields.pending ? capacityOf(fields.pending) : 0
  if (total > capacity) {
    const wanted = fields.pending ? max(total, 2 * capacity) : total
    let buffer = allocateHeard(wanted)
    if (!buffer && wanted > total) buffer = allocateHeard(total)
    if (!buffer) return false
    if (fields.pending) {
      memory.copy(buffer, fields.pending, fields.pendingLength)
      release(fields.pending)
    }
    fields.pending = buffer
  }
  memory.copy(fields.pending + fields.pendingLength, at, length)
  fields.pendingLength = total
  return true
}

/** Forgets the first bytes of what is pending. */
export function consumePending(connection: usize, count: usize): void {
  const fields = changetype<Connection>(connection)
  const rest = fields.pendingLength - count
  if (rest == 0) {
    dropPending(connection)
    return
  }
  if (count == 0) return
  const from = fields.pending + count
  const capacity = capacityOf(fields.pending)
  const smaller = capacity > KEPT_BYTES && rest < capacity >> 2 ? allocate(rest) : 0
  memory.copy(smaller || fields.pending, from, rest)
  if (smaller) {
    release(fields.pending)
    fields.pending = smaller
  }
  fields.pendingLength = rest
}

/** The connection after this one in no order that matters, the first one after 0; 0 at the end. */
export function nextConnection(connection: usize): usize {
  let chain = 0
  if (connection) {
    const fields = changetype<Connection>(connection)
    if (fields.next) return fields.next
    chain = (fields.conn & (CHAINS - 1)) + 1
  }
  for (; chain < CHAINS; chain++) {
    const first = load<usize>(chains + (chain << 2))
    if (first) return first
  }
  return 0
}
