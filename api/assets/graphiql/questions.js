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
  staffMember(by: { registryNumber: "S000001" }) {
    # What HR says wrongly, until when it is to be mended, and who can.
    issues {
      id
      explanation
      message
      blocks
      mendBy
      personnelUnit { name }
      since
    }
    # What is still to be done, and why.
    plan { text }
    # What happened: what HR said, and what was done.
    history(first: 10) {
      nodes { at actor deed because }
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
      province { name }
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
# Önce hesabı açılmış ama haber verilemeyenler; sonra gönderilmeyi bekleyen mesajlar.
query WhoWaitsForAnAnnouncement {
  dataIssues(filter: { blocks: [ANNOUNCEMENT] }, first: 50) {
    nodes {
      id
      keepsNewcomerWaiting
      explanation
      mendBy
      overdue
      registryNumber
      personnelUnit { name }
      card { displayName username unit { name } }
    }
  }
  # QUEUED: gönderilmedi; FAILED: SMS geçidi kabul etmedi; UNDELIVERED: telefona ulaşmadı.
  messages(filter: { purposes: [ACCOUNT_OPENED], states: [QUEUED, SENDING, FAILED, UNDELIVERED, DOUBTFUL] }, first: 50) {
    nodes {
      state
      purpose
      to
      queuedAt
      card { displayName username }
    }
  }
}`,
  `# Dünden beri ne başarısız oldu? – What failed since yesterday?
# operationRetry bir işlemi hemen yeniden dener.
query WhatFailedSinceYesterday {
  operations(
    first: 50
    filter: {
      statuses: [REFUSED, IN_DOUBT]
      since: "2000-01-01T00:00:00Z"
    }
  ) {
    nodes {
      id
      status
      action
      because
      createdAt
      card { displayName username unit { name } }
      receipt { at step result }
    }
  }
  syncRuns(first: 10) {
    nodes {
      id
      trigger
      startedBy
      status
      startedAt
      done
      refused
      inDoubt
      fault
    }
  }
  systemHealth {
    health
    findings { about health since found mend lag { of seconds } }
  }
}`,
  `# Şimdi ne yapılacak? – What would be done?
# asOf: ileri bir gün; scope: { unit: "24308110" } ya da { people: ["card_…"] }.
query WhatWouldBeDone {
  changePlan {
    asOf
    observedAt
    summary { action count }
    provinces { province { name } summary { action count } }
    verdict
    heldBecause
    changes(first: 20) {
      nodes { registryNumber action because text }
      pageInfo { hasNextPage endCursor }
    }
  }
}`,
  `# Verilerimiz ne durumda? – How are our data?
# Süresi geçen veri sorunları, dizinde farklı görünen kartlar, gün gün açılan ve kapanan sorunlar.
query HowAreOurData {
  dataIssues(filter: { overdue: true }, first: 20) {
    nodes {
      id
      explanation
      message
      mendBy
      registryNumber
      personnelUnit { name }
      decisions
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
  dataIssueTrend(days: 30) {
    date
    opened
    closed
    open
  }
}`,
  `# Bir çalışmayı izleyin – Follow a run.
# Kimliği (id) syncRuns ya da syncStart verir.
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
].map((question) =>
  // A day before this page was opened.
  question.replace('2000-01-01T00:00:00Z', new Date(Date.now() - 86400000).toISOString()),
);
