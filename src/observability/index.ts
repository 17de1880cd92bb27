export type { Page, Probe, Probed } from '../swarm/vocabulary/probe.ts'
