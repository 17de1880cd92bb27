/** How much a {@link View} holds at most; of more, the oldest that matters least makes room. */
export const VIEW_BOUNDS = {
  /** Peers; those without a connection make room first. */
  peers: 2_048,
  /** Connections of one peer. */
  links: 16,
  /** Topics of one peer. */
  peerTopics: 64,
  /** Topics; those that this node has not joined make room first. */
  topics: 256,
  /** Peers of one topic. */
  members: 2_048,
  /** Breakers; closed ones make room first. */
  breakers: 128,
  /** Relays; mere candidates make room first. */
  relays: 128,
  /** Reservations that this node has granted as a relay. */
  served: 512,
  /** Circuits that this node carries. */
  circuits: 512,
  /** Lookups in the DHT. */
  lookups: 64,
  /** Registrations at rendezvous points, and those here. */
  registrations: 256,
  /** Chains that end here. */
  chains: 256,
  /** Authentications. */
  authentications: 100,
  /** Refusals. */
  refusals: 100,
  /** Failed commands and failures of the node's own. */
  failures: 100,
  /** Alerts; resolved ones make room first. */
  alerts: 100,
  /** Health checks. */
  checks: 128,
  /** Types of events that are counted. */
  counters: 256,
  /** Addresses of this node, or of one peer. */
  addresses: 64,
  /** Behaviours in trouble. */
  troubled: 64,
} as const
