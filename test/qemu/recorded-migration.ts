// A migration with page channels, recorded from a real QEMU: the main stream and each channel as a file. The guest is
// a firmware of a few instructions: it writes the same pages over and over, and every other one is all zero each
// second time, so that many rounds are sent and a page comes now through the main stream, now through a channel.
//
// Of a guest that stands still, the memory that its QEMU has is what the stream holds. Of one that runs it need not
// be, for QEMU 7.2 with TCG misses pages that are written while it gathers the dirty ones, with channels or without;
// there the judge is a QEMU that loads what was recorded.

import { readFileSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { Qemu } from './qemu-process.ts'

export const RAM_MEGABYTES = 16
const MIB = 1024 * 1024
const IMAGE_ADDRESS = 4 * MIB
const IMAGE_BYTES = 8 * MIB
/** QEMU counts the first gathering and the last one too. */
const ROUNDS_MIN = 4
const STREAM_MAGIC = 0x5145_564d
const CHANNEL_ID_OFFSET = 24
const FIRMWARE_BYTES = 64 * 1024

/** Of 16 bits, at f000:0000. */
const FIRMWARE_CODE = [
  [0xfa, 0xfc, 0x31, 0xc9], // cli; cld; xor cx, cx
  [0x41, 0xba, 0x00, 0x10], // round: inc cx; mov dx, 0x1000
  [0x8e, 0xc2, 0x31, 0xff], // page: mov es, dx; xor di, di
  [0xf6, 0xc6, 0x01, 0x74, 0x08], // test dh, 1; jz words
  [0x89, 0xc8, 0x83, 0xe0, 0x01, 0xab], // mov ax, cx; and ax, 1; stosw
  [0xeb, 0x12], // jmp next
  [0x89, 0xc8, 0x01, 0xd0, 0xbb, 0x00, 0x01], // words: mov ax, cx; add ax, dx; mov bx, 256
  [0x69, 0xc0, 0x55, 0x62, 0x05, 0x19, 0x36], // word: imul ax, ax, 0x6255; add ax, 0x3619
  [0xab, 0x4b, 0x75, 0xf5], // stosw; dec bx; jnz word
  [0x81, 0xc2, 0x00, 0x01], // next: add dx, 0x100
  [0x81, 0xfa, 0x00, 0x90, 0x72, 0xd3], // cmp dx, 0x9000; jb page
  [0xeb, 0xcd], // jmp round
].flat()

/** At the processor's first address, 16 bytes before the end: jmp f000:0000. */
const RESET = [0xea, 0x00, 0x00, 0x00, 0xf0]

export interface Packing {
  readonly method: 'none' | 'zlib' | 'zstd'
  readonly level?: number
}

export interface RecordedMigration {
  readonly file: string
  /** Physical memory of the guest that was sent, from 0 on, when it was over. */
  readonly memory: Buffer
  /** How often the dirty pages were gathered. */
  readonly rounds: number
}

function firmware(): Uint8Array {
  const bytes = new Uint8Array(FIRMWARE_BYTES)
  bytes.set(FIRMWARE_CODE)
  bytes.set(RESET, FIRMWARE_BYTES - 16)
  return bytes
}

/** What lies in the guest's memory: noise, text, runs of one byte, numbers, and noise that comes again. */
function image(): Uint8Array {
  const bytes = Buffer.alloc(IMAGE_BYTES)
  let state = 1
  for (let at = 0; at < MIB / 2; at += 4) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9
    bytes.writeInt32LE(state | 0, at)
  }
  let at = MIB
  for (let line = 0; at < 4 * MIB - 64; line++) {
    at += bytes.write(`${line}: ${(line * line) % 9973} of ${line % 7} things are here\n`, at)
  }
  for (let page = 4 * MIB; page < 5 * MIB; page += 4096) {
    bytes.fill(1 + ((page >> 12) % 255), page, page + 4096)
  }
  for (let word = 5 * MIB; word < 6 * MIB; word += 4) bytes.writeUInt32LE(word, word)
  bytes.copyWithin(6 * MIB, 0, MIB)
  return bytes
}

/** Takes in what each connection sends, to its end. */
class Recorder {
  readonly #server: Server
  readonly #connections: Promise<Buffer>[] = []

  private constructor() {
    this.#server = createServer((socket) => void this.#connections.push(contentsOf(socket)))
  }

  static async start(): Promise<Recorder> {
    const recorder = new Recorder()
    await new Promise<void>((started) => {
      recorder.#server.listen(0, '127.0.0.1', started)
    })
    return recorder
  }

  get uri(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('it does not listen')
    return `tcp:127.0.0.1:${address.port}`
  }

  /** All that came, once every connection has ended. */
  async finish(): Promise<Buffer[]> {
    const contents = await Promise.all(this.#connections)
    this.#server.close()
    return contents
  }
}

async function contentsOf(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of socket) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

const CAPABILITIES = { capabilities: [{ capability: 'multifd', state: true }] }

const parametersOf = ({ method }: Packing) => ({
  'multifd-channels': 2,
  'multifd-compression': method,
})

async function memoryOf(qemu: Qemu, file: string): Promise<Buffer> {
  await qemu.ask('pmemsave', { val: 0, size: RAM_MEGABYTES * MIB, filename: file })
  return readFileSync(file)
}

/** Lets it migrate until all is sent. Returns how often it gathered the dirty pages. */
async function migrate(qemu: Qemu, uri: string): Promise<number> {
  await qemu.ask('migrate', { uri })
  for (let isEnding = false; ;) {
    const told = await qemu.ask('query-migrate')
    const { status, ram } = told as { status?: string; ram?: { 'dirty-sync-count': number } }
    const rounds = ram?.['dirty-sync-count'] ?? 0
    if (status === 'completed') return rounds
    if (status === 'failed') throw new Error(JSON.stringify(told))
    if (rounds < ROUNDS_MIN || isEnding) continue
    // Until now it could hardly end, for the guest writes faster than is sent.
    isEnding = true
    await qemu.ask('migrate-set-parameters', { 'downtime-limit': 5000 })
  }
}

/** Migrates a guest, with two page channels packed so, into FILE, FILE.ch1 and FILE.ch2. */
export async function recordMigration(
  file: string,
  packing: Packing,
  guest: 'runs' | 'stands still',
): Promise<RecordedMigration> {
  const [bios, contents] = ['bios', 'image'].map((what) => `${file}.${what}`)
  writeFileSync(bios, firmware())
  writeFileSync(contents, image())
  const load = `loader,file=${contents},addr=0x${IMAGE_ADDRESS.toString(16)},force-raw=on`
  const { method, level } = packing
  const leveled = level === undefined ? [] : [`migration.multifd-${method}-level=${level}`]
  const globals = leveled.flatMap((one) => ['-global', one])
  const machine = ['-bios', bios, '-device', load, ...globals]
  const recorder = await Recorder.start()
  const qemu = await Qemu.start(RAM_MEGABYTES, [...machine, ...(guest === 'runs' ? [] : ['-S'])])
  let rounds: number
  let memory: Buffer
  try {
    await qemu.ask('migrate-set-capabilities', CAPABILITIES)
    const slow = { 'max-bandwidth': 16 * MIB, 'downtime-limit': 1 }
    await qemu.ask('migrate-set-parameters', { ...parametersOf(packing), ...slow })
    rounds = await migrate(qemu, recorder.uri)
    memory = await memoryOf(qemu, `${file}.memory`)
    await qemu.ask('quit')
  } finally {
    qemu.kill()
  }
  for (const bytes of await recorder.finish()) {
    const isMain = bytes.readUInt32BE(0) === STREAM_MAGIC
    writeFileSync(isMain ? file : `${file}.ch${1 + bytes[CHANNEL_ID_OFFSET]}`, bytes)
  }
  return { file, memory, rounds }
}

/** What a QEMU that loads the recorded files has in its memory then. */
export async function loadMigration(file: string, packing: Packing): Promise<Buffer> {
  const path = `${file}.socket`
  const machine = ['-bios', `${file}.bios`, '-S', '-incoming', 'defer']
  const qemu = await Qemu.start(RAM_MEGABYTES, machine)
  const sockets: Socket[] = []
  try {
    await qemu.ask('migrate-set-capabilities', CAPABILITIES)
    await qemu.ask('migrate-set-parameters', parametersOf(packing))
    await qemu.ask('migrate-incoming', { uri: `unix:${path}` })
    // The first to connect is the main stream.
    for (const ending of ['', '.ch1', '.ch2']) {
      const socket = createConnection(path)
      sockets.push(socket)
      await new Promise<void>((connected) => {
        socket.once('connect', connected)
      })
      socket.write(readFileSync(`${file}${ending}`))
    }
    while ((await qemu.ask('query-status')).status === 'inmigrate');
    return await memoryOf(qemu, `${file}.loaded`)
  } finally {
    qemu.kill()
    for (const socket of sockets) socket.destroy()
  }
}
