// What QEMU traces while it loads a migration stream, beside the events of a device's state (trace-events.ts):
// sections, commands, records of memory, in QEMU's order, which was taken from a real `-trace`. Whoever walks a
// stream into this sink hears them as QEMU 7.2 would say them.

import { COMMAND_PACKAGED, COMMAND_PING } from '../stream/commands.ts'
import {
  SECTION_FULL,
  SECTION_START,
  SilentSink,
  type OpaqueBody,
  type RamBlock,
  type SectionHead,
  type StreamCommand,
} from '../stream/migration-sink.ts'

/** One row an event, with its format as QEMU's trace-events has it. */
export const loadvmTraceEvents = {
  loadvm_state_setup: '',
  loadvm_state_cleanup: '',
  qemu_loadvm_state_section: '%d',
  qemu_loadvm_state_section_command: '%d',
  qemu_loadvm_state_section_partend: '%u',
  qemu_loadvm_state_section_startfull: '%u(%s) %u %u',
  qemu_loadvm_state_post_main: '%d',
  vmstate_load: '%s, %s',
  loadvm_process_command: 'com=0x%x len=%d',
  loadvm_process_command_ping: '0x%x',
  loadvm_handle_cmd_packaged: '%u',
  loadvm_handle_cmd_packaged_received: '%d',
  loadvm_handle_cmd_packaged_main: '%d',
  ram_load_loop: '%s: addr: 0x%x flags: 0x%x host: %p',
  ram_load_complete: 'exit_code %d seq iteration %u',
} as const satisfies Readonly<Record<string, string>>

export type LoadvmTraceEvent = keyof typeof loadvmTraceEvents
export type LoadvmTrace = (event: LoadvmTraceEvent, ...args: (string | number)[]) => void

/** Loads a device's state, and says what is traced on the way. */
export type LoadDevice = (head: SectionHead, body: OpaqueBody) => void

export class LoadvmTracer extends SilentSink {
  readonly #trace: LoadvmTrace
  readonly #load: LoadDevice
  readonly #describe: (head: SectionHead) => string | undefined
  /** So many bodies of section ram were loaded. */
  #iterations = 0
  #isInPackage = false

  /** `describe` names a device's description, ahead of `load`. */
  constructor(
    trace: LoadvmTrace,
    describe: (head: SectionHead) => string | undefined,
    load: LoadDevice,
  ) {
    super()
    this.#trace = trace
    this.#describe = describe
    this.#load = load
  }

  override header(): void {
    this.#trace('loadvm_state_setup')
  }

  override command({ id, data }: StreamCommand): void {
    const view = new DataView(data.buffer, data.byteOffset, data.length)
    this.#trace('qemu_loadvm_state_section', 8)
    this.#trace('loadvm_process_command', id, data.length)
    if (id === COMMAND_PING) this.#trace('loadvm_process_command_ping', view.getUint32(0))
    if (id === COMMAND_PACKAGED) {
      this.#isInPackage = true
      this.#trace('loadvm_handle_cmd_packaged', view.getUint32(0))
      this.#trace('loadvm_handle_cmd_packaged_received', view.getUint32(0))
    } else this.#trace('qemu_loadvm_state_section_command', 0)
  }

  override packageEnds(): void {
    this.#isInPackage = false
    this.#trace('qemu_loadvm_state_post_main', 0)
    this.#trace('loadvm_handle_cmd_packaged_main', 0)
    this.#trace('qemu_loadvm_state_section_command', 0)
  }

  override sectionBegins(head: SectionHead): void {
    const { type, sectionId, idstr, instanceId, versionId } = head
    this.#trace('qemu_loadvm_state_section', type)
    if (type === SECTION_START || type === SECTION_FULL) {
      const told = [sectionId, idstr, instanceId, versionId]
      this.#trace('qemu_loadvm_state_section_startfull', ...told)
    } else this.#trace('qemu_loadvm_state_section_partend', sectionId)
    const vmsd = type === SECTION_FULL ? this.#describe(head) : undefined
    this.#trace('vmstate_load', idstr, vmsd ?? '(old)')
  }

  override body(head: SectionHead, body: OpaqueBody): void {
    this.#load(head, body)
  }

  override sectionEnds({ idstr, type }: SectionHead): void {
    if (idstr !== 'ram' || type === SECTION_FULL) return
    this.#trace('ram_load_complete', 0, ++this.#iterations)
  }

  override endOfItems(): void {
    this.#trace('qemu_loadvm_state_section', 0)
    if (this.#isInPackage) return
    this.#trace('qemu_loadvm_state_post_main', 0)
    this.#trace('loadvm_state_cleanup')
  }

  override zeroPage(block: RamBlock, address: number, flags: number): void {
    this.#trace('ram_load_loop', block.name, address, flags, 0)
  }

  override page(block: RamBlock, address: number, flags: number): void {
    this.#trace('ram_load_loop', block.name, address, flags, 0)
  }

  override xbzrlePage(block: RamBlock, address: number, flags: number): void {
    this.#trace('ram_load_loop', block.name, address, flags, 0)
  }

  override compressedPage(block: RamBlock, address: number, flags: number): void {
    this.#trace('ram_load_loop', block.name, address, flags, 0)
  }
}
