// `--trace`: the events that a QEMU traces when it loads the stream, a line each as its `log` backend writes them.

import { BinaryInputVisitor } from '../../shared/formats/qemu/binary-visitor.ts'
import { Occurrences } from '../../shared/formats/qemu/description-sizes.ts'
import { LoadvmTracer, traceLine } from '../../shared/formats/qemu/loadvm-trace.ts'
import type { OpaqueBody, SectionHead } from '../../shared/formats/qemu/migration-sink.ts'
import { QemuFileReader } from '../../shared/formats/qemu/qemu-file.ts'
import { DeviceStates } from './device-states.ts'
import { faultOf, finderFor } from './descriptions.ts'
import { FieldList } from './field-list.ts'
import { TextOutput } from './text-output.ts'
import { complain, walk, type WalkSettings } from './walk.ts'

/** Reads the stream twice: what a device's fields are is known only at its end. */
export async function showTrace(path: string, settings: WalkSettings): Promise<void> {
  const states = new DeviceStates([])
  await walk(path, states, settings)
  const find = await finderFor(states, settings.other)
  const out = new TextOutput()
  let seen = new Occurrences()
  let occurrence = 0
  const trace = (event: string, ...args: (string | number)[]) => {
    // Each checkpoint has its devices anew.
    if (event === 'qemu_loadvm_state_post_main') seen = new Occurrences()
    out.add(`${traceLine(event, args)}\n`)
    out.mayFlush()
  }
  const describe = (head: SectionHead) => {
    occurrence = seen.next(head.idstr, head.instanceId)
    return find(head, occurrence)?.name
  }
  const load = (head: SectionHead, { bytes, offset, delimiter }: OpaqueBody) => {
    if (find(head, occurrence) === undefined) return
    const section = { head, occurrence, bytes, bodyOffset: offset, delimiter }
    const from = new BinaryInputVisitor(QemuFileReader.over(bytes, offset))
    faultOf(section, find, from, new FieldList(from), { trace })
  }
  const walked = await walk(path, new LoadvmTracer(trace, describe, load), settings)
  out.flush()
  complain(path, walked)
}
