// A guest as one writes AssemblyScript elsewhere: classes, maps, strings and variables at the top of the file. It
// answers each line with how often that line was sent, over all connections, and what was sent before it.
// Nothing here knows of checkpoints: objects lie in memory, and the host keeps the variables too.
import { output } from './colo'

const INPUT_BYTES: i32 = 16384
const NEWLINE: u8 = 0x0a

class Client {
  /** The bytes of a line that have come so far. */
  line: u8[] = []
}

const input = new ArrayBuffer(INPUT_BYTES)
const clients = new Map<i32, Client>()
const counts = new Map<string, i32>()
let last: string = 'nothing'

/** Which version of the contract this guest was written for. */
export function colo_abi(): i32 {
  return 1
}

export function colo_buffer(size: i32): usize {
  return size <= INPUT_BYTES ? changetype<usize>(input) : 0
}

export function colo_open(conn: i32): void {
  clients.set(conn, new Client())
}

/** After a failover too, for every connection there was. */
export function colo_close(conn: i32): void {
  clients.delete(conn)
}

/** Bytes from a client: they may end anywhere, even within a character. */
export function colo_input(conn: i32, at: usize, length: i32): void {
  const client = clients.get(conn)
  for (const end = at + length; at < end; at++) {
    const byte = load<u8>(at)
    if (byte != NEWLINE) {
      client.line.push(byte)
      continue
    }
    answer(conn, String.UTF8.decodeUnsafe(client.line.dataStart, client.line.length))
    client.line = []
  }
}

function answer(conn: i32, line: string): void {
  const count = (counts.has(line) ? counts.get(line) : 0) + 1
  counts.set(line, count)
  const text = String.UTF8.encode(line + ' ' + count.toString() + ' after ' + last + '\n')
  last = line
  output(conn, changetype<usize>(text), text.byteLength)
}
