'use strict';
// GraphiQL in the session's name: HTTP for questions and deeds, one WebSocket for subscriptions.
Session.whenEntered(() => {
  const socket = graphqlWs.createClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql`,
    connectionParams: Session.introduction,
  });
  const fetcher = GraphiQL.createFetcher({ url: '/graphql', fetch: Session.fetch, wsClient: socket });
  ReactDOM.createRoot(document.getElementById('graphiql')).render(
    React.createElement(GraphiQL, {
      fetcher,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
      defaultTabs: questions.map((query) => ({ query, variables: query.includes('$run') ? '{ "run": "run_…" }' : '' })),
      isHeadersEditorEnabled: false,
      shouldPersistHeaders: false,
    }),
  );
});
