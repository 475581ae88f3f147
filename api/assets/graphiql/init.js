'use strict';
// Ready-made questions: each answers something with the simulated ministry and no further knowledge.
const examples = [
  `# Identity cards of colleagues.
# "sah" finds Şahin and ŞAHİN.
query Cards {
  identityCards(search: "sah", first: 10) {
    nodes {
      displayName
      title
      email
      workPhone { number extension }
      unit { name }
      accountState
    }
    pageInfo { hasNextPage endCursor }
  }
}`,
  `# One card: by registry number, user name,
# e-mail address or id.
query Card {
  identityCard(by: { registryNumber: "S000001" }) {
    id
    displayName
    username
    email
    emailAliases
    title
    city
    unitPath { code name kind }
    manager { displayName title }
    updatedAt
  }
}`,
  `# What Kimlik did, newest first,
# and each step with its reason.
query Runs {
  syncRuns(first: 5) {
    nodes {
      trigger
      status
      startedAt
      people
      done
      held
      refused
      planned { action count }
      operations(first: 5) {
        nodes {
          action
          status
          because
          card { displayName }
          receipt { at step result }
        }
      }
    }
  }
}`,
  `# Changes that exceeded a limit
# and wait for an administrator.
query Holds {
  holds(status: OPEN) {
    nodes {
      id
      kind
      province
      people
      reasons
      digest
      items(first: 10) {
        nodes { personId registryNumber action text }
      }
    }
  }
}`,
  `# Texts to people, as they stand in the outbox.
query Messages {
  messages(first: 10) {
    nodes {
      purpose
      to
      text
      state
      queuedAt
      card { displayName }
    }
  }
}`,
  `# Faults in what HR says, with who can mend them;
# and how the neighbours are.
query Issues {
  dataIssues(first: 20) {
    nodes {
      kind
      message
      registryNumber
      blocks
      personnelUnit { name }
      since
    }
  }
  systemHealth { about health found mend }
}`,
];

const fetcher = GraphiQL.createFetcher({ url: '/graphql' });
ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, {
    fetcher,
    plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    defaultTabs: examples.map((query) => ({ query })),
    isHeadersEditorEnabled: false,
    shouldPersistHeaders: false,
  }),
);
