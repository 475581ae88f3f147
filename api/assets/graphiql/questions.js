'use strict';
// The daily questions, as tabs. Each is answered as it stands; what is to be changed stands in its first lines.
const questions = [
  `# Kart neden yanlış? – Why is this card wrong?
# Sicil no yazın; kullanıcı adı (username) veya e-posta (email) da olur.
query WhyIsThisCardWrong {
  # What each field should be and whose word that is, what the directory holds now, and who can correct it.
  identityCard(by: { registryNumber: "S000001" }) {
    displayName
    username
    accountState
    addressBook { status writtenAt visibleOnlineFrom visibleInOutlookBy }
    provenance {
      name
      value
      directoryValue
      inSync
      reason
      because
      source
      effectiveOn
      since
      correctors
      correctedBy { name }
    }
  }
  # All cards that the directory shows otherwise than it should.
  cardDrift(first: 20) {
    nodes {
      reason
      since
      card { displayName username unit { shortName } }
      fields { name value directoryValue reason because }
    }
  }
  # What HR says wrongly, and who can mend it.
  dataIssues(first: 20) {
    nodes {
      registryNumber
      message
      blocks
      personnelUnit { name }
      since
    }
  }
}`,
  `# Ne bekletiliyor? – What is held?
# Sınırı aşan değişiklikler yöneticiyi bekler; holdDecide karar verir.
query WhatIsHeld {
  holds(status: OPEN, first: 20) {
    nodes {
      id
      kind
      province
      people
      reasons
      digest
      createdAt
      items(first: 10) {
        nodes { registryNumber action text card { displayName } }
      }
    }
  }
}`,
  `# Kim duyuru bekliyor? – Who waits for an announcement?
# QUEUED: gönderilmedi; FAILED: SMS geçidi kabul etmedi.
query WhoWaitsForAnAnnouncement {
  messages(first: 50) {
    nodes {
      state
      purpose
      to
      queuedAt
      card { displayName username unit { name } }
    }
  }
}`,
  `# Dünden beri ne başarısız oldu? – What failed since yesterday?
query WhatFailedSinceYesterday {
  syncRuns(first: 20) {
    nodes {
      id
      status
      startedAt
      done
      refused
      inDoubt
      fault
      operations(first: 5) {
        nodes {
          status
          action
          because
          card { displayName }
          receipt { at step result }
        }
      }
    }
  }
  systemHealth { about health found mend }
}`,
  `# Bir çalışmayı izleyin – Follow a run.
# Kimliği (id) bir önceki sekmeden alın.
subscription FollowARun($run: ID!) {
  syncProgress(runId: $run) {
    status
    total
    begun
    done
    failed
  }
}`,
  `# Kişi arama – Find people.
# "sah": Şahin, ŞAHİN, sahin.
query FindPeople {
  identityCards(search: "sah", first: 10) {
    nodes {
      displayName
      title
      email
      workPhone { number extension }
      unit { name }
    }
    pageInfo { hasNextPage endCursor }
  }
}`,
];
