// What QEMU traces while it writes a migration stream, beside the events of a device's state (trace-events.ts): the
// counterpart of loadvm-trace.ts, in QEMU's order, which was taken from a real `-trace`. A sink: who writes a stream
// gives it the same calls as the writer, and who walks one hears what the QEMU said that wrote it. Only what left no
// byte is not heard: devices that were not needed (savevm_section_skip).

import {
  COMMAND_ENABLE_COLO,
  COMMAND_OPEN_RETURN_PATH,
  COMMAND_PACKAGED,
  COMMAND_PING,
} from '../stream/commands.ts'
import { COLO_VMSTATE_SIZE } from '../stream/colo-session.ts'
import {
  SECTION_END,
  SECTION_FULL,
  SECTION_PART,
  SECTION_START,
  SilentSink,
  type OpaqueBody,
  type SectionHead,
  type StreamCommand,
} from '../stream/migration-sink.ts'

/** One row an event, with its format as QEMU's trace-events has it. */
export const savevmTraceEvents = {
  savevm_state_header: '',
  savevm_state_setup: '',
  savevm_state_iterate: '',
  savevm_state_complete_precopy: '',
  savevm_state_cleanup: '',
  savevm_section_start: '%s, section_id %u',
  savevm_section_end: '%s, section_id %u -> %d',
  savevm_section_skip: '%s, section_id %u',
  savevm_command_send: 'com=0x%x len=%d',
  savevm_send_open_return_path: '',
  savevm_send_ping: '0x%x',
  savevm_send_colo_enable: '',
  qemu_savevm_send_packaged: '',
  vmstate_save: '%s, %s',
} as const satisfies Readonly<Record<string, string>>

export type SavevmTraceEvent = keyof typeof savevmTraceEvents
export type SavevmTrace = (event: SavevmTraceEvent, ...args: (string | number)[]) => void

/** Says what is traced while the state of this device is saved. */
export type SaveDevice = (head: SectionHead, body: OpaqueBody) => void

/** What QEMU's functions return: more is to come, nothing more, or all is well. */
const ITERATION_DONE = 1
const DONE = 0

export class SavevmTracer extends SilentSink {
  readonly #trace: SavevmTrace
  readonly #describe: (head: SectionHead) => string | undefined
  readonly #save: SaveDevice
  #isSetUp = false
  #isCompleting = false
  /** The last section of the iteration under way; they come in the order of their numbers. */
  #iterated = Infinity
  /** Of a COLO checkpoint: its devices are written by a function that traces no sections. */
  #isDeviceState = false

  /** `describe` names a device's description, ahead of `save`. */
  constructor(
    trace: SavevmTrace,
    describe: (head: SectionHead) => string | undefined,
    save: SaveDevice,
  ) {
    super()
    this.#trace = trace
    this.#describe = describe
    this.#save = save
  }

  override header(): void {
    this.#trace('savevm_state_header')
  }

  override command({ id, data }: StreamCommand): void {
    const view = new DataView(data.buffer, data.byteOffset, data.length)
    // What is packed was written ahead of its package.
    if (id === COMMAND_PACKAGED) return
    if (id === COMMAND_OPEN_RETURN_PATH) this.#trace('savevm_send_open_return_path')
    if (id === COMMAND_PING) this.#trace('savevm_send_ping', view.getUint32(0))
    if (id === COMMAND_ENABLE_COLO) this.#trace('savevm_send_colo_enable')
    this.#trace('savevm_command_send', id, data.length)
  }

  override packageEnds(): void {
    this.#trace('qemu_savevm_send_packaged')
    this.#trace('savevm_command_send', COMMAND_PACKAGED, Uint32Array.BYTES_PER_ELEMENT)
  }

  override sectionBegins({ type, sectionId, idstr }: SectionHead): void {
    if (type === SECTION_START) {
      if (!this.#isSetUp) this.#trace('savevm_state_setup')
      this.#isSetUp = true
      return
    }
    if (type === SECTION_PART) {
      if (sectionId <= this.#iterated) this.#trace('savevm_state_iterate')
      this.#iterated = sectionId
    }
    if (type === SECTION_END && !this.#isCompleting) {
      this.#isCompleting = true
      this.#trace('savevm_state_complete_precopy')
    }
    if (!this.#isDeviceState) this.#trace('savevm_section_start', idstr, sectionId)
  }

  override body(head: SectionHead, body: OpaqueBody): void {
    if (head.type !== SECTION_FULL) return
    this.#trace('vmstate_save', head.idstr, this.#describe(head) ?? '(old)')
    this.#save(head, body)
  }

  override sectionEnds({ type, sectionId, idstr }: SectionHead): void {
    if (type === SECTION_START || this.#isDeviceState) return
    const value = type === SECTION_PART ? ITERATION_DONE : DONE
    this.#trace('savevm_section_end', idstr, sectionId, value)
  }

  override endOfItems(): void {
    this.#isCompleting = false
  }

  override coloMessage(_offset: number, code: number): void {
    this.#isDeviceState = code === COLO_VMSTATE_SIZE
  }

  override deviceStateEnds(): void {
    this.#isDeviceState = false
  }

  /** The migration is over. */
  finish(): void {
    this.#trace('savevm_state_cleanup')
  }
}
